package main

import (
	"fmt"
	"os"
	"strings"
)

func orExit(err error) {
	if refused, ok := err.(*FunctionError); ok {
		fmt.Println(refused.Code, refused.RequestId, refused.Message)
	}
	if err != nil {
		os.Exit(1)
	}
}

// Commit receipts, then introspect a session: the state or code of each, and the subject; of an error its id.
func main() {
	told, err := Commit(os.Args[1], strings.Split(os.Args[2], ","), os.Args[3])
	orExit(err)
	said := []string{}
	for _, entry := range told {
		if entry.Error != nil {
			entry.State = entry.Error.Code
		}
		said = append(said, entry.State)
	}
	who, err := Introspect(os.Args[1], os.Args[4], os.Args[3])
	orExit(err)
	if !who.Active {
		who.Sub = "inactive"
	}
	fmt.Println(strings.Join(append(said, who.Sub), " "))
}
