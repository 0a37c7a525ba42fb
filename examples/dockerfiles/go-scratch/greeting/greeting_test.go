package greeting

import "testing"

func TestTo(t *testing.T) {
	if got := To("you"); got != "Hello, you!" {
		t.Fatal(got)
	}
}
