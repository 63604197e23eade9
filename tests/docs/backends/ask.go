package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
)

func asked(kind string, of []string) ([]any, error) {
	switch kind {
	case "receipt":
		claims, err := VerifyReceipt(of[0], of[1])
		if err != nil {
			return nil, err
		}
		return []any{claims["key"], claims["seen"], claims["context"].(map[string]any)["order"]}, nil
	case "webhook":
		headers := http.Header{}
		for i, name := range []string{"id", "timestamp", "signature"} {
			headers.Set("webhook-"+name, of[i])
		}
		event, err := VerifyWebhook([]byte(of[4]), headers, of[3])
		if err != nil {
			return nil, err
		}
		return []any{event["event"], event["claims"].(map[string]any)["key"]}, nil
	}
	said := []any{}
	told, err := Commit(of[0], strings.Split(of[1], ","), of[2])
	for _, entry := range told {
		if entry.Error != nil {
			entry.State = entry.Error.Code
		}
		said = append(said, entry.State)
	}
	if err != nil {
		return nil, err
	}
	who, err := Introspect(of[0], of[3], of[2])
	if !who.Active {
		who.Sub = "inactive"
	}
	return append(said, who.Sub), err
}

// As ask.py.
func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fields := strings.Split(lines.Text(), "\t")
		said, err := asked(fields[0], fields[1:])
		if refused, ok := err.(*FunctionError); ok {
			said = []any{refused.Code, refused.RequestId, refused.Message}
		} else if err != nil {
			said = []any{"refused"}
		}
		fmt.Println(said...)
	}
}
