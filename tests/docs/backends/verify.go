package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// For each line "receipt secret" of standard input the receipt's key, seen and order, or "refused".
func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		receipt, secret, _ := strings.Cut(lines.Text(), " ")
		if claims, err := VerifyReceipt(receipt, secret); err != nil {
			fmt.Println("refused")
		} else {
			context := claims["context"].(map[string]any)
			fmt.Println(claims["key"], claims["seen"], context["order"])
		}
	}
}
