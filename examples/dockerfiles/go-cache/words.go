// Package wordcount counts words.
package wordcount

import "strings"

// Count returns how many words a text has.
func Count(text string) int { return len(strings.Fields(text)) }
