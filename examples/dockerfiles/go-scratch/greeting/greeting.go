// Package greeting holds the words.
package greeting

import "fmt"

// To greets one name.
func To(name string) string { return fmt.Sprintf("Hello, %s!", name) }
