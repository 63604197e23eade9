package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// For each line "id, timestamp, signature, secret, body" with tabs its event and key, or "refused".
func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		parts := strings.Split(lines.Text(), "\t")
		headers := http.Header{}
		for i, name := range []string{"id", "timestamp", "signature"} {
			headers.Set("webhook-"+name, parts[i])
		}
		if event, err := VerifyWebhook([]byte(parts[4]), headers, parts[3]); err != nil {
			fmt.Println("refused")
		} else {
			fmt.Println(event["event"], event["claims"].(map[string]any)["key"])
		}
	}
}
