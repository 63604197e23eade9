package main

import (
	"fmt"
	"os"
	"strings"
)

// Commit the receipts of the second argument at the function of the first: the state or code of each.
func main() {
	told, err := Commit(os.Args[1], strings.Split(os.Args[2], ","), os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	said := []string{}
	for _, entry := range told {
		said = append(said, entry.State+entry.Error.Code)
	}
	fmt.Println(strings.Join(said, " "))
}
