// Greets whom its arguments name, and says who it runs as.
package main

import (
	"fmt"
	"os"

	"example.org/hello/greeting"
)

func main() {
	for _, name := range os.Args[1:] {
		fmt.Println(greeting.To(name))
	}
	fmt.Printf("uid %d gid %d\n", os.Getuid(), os.Getgid())
}
