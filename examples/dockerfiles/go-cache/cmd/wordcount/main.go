package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"example.org/wordcount"
)

var version = "unknown"

func main() {
	show := flag.Bool("version", false, "print the version")
	flag.Parse()
	if *show {
		fmt.Println("wordcount", version)
		return
	}
	text, _ := io.ReadAll(os.Stdin)
	fmt.Println(wordcount.Count(string(text)))
}
