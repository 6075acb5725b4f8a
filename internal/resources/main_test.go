package resources_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain leaves most of the model's sequences to CI: 500 of them take a minute and a half of CPU.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked && os.Getenv("CI") == "" {
		if err := flag.Set("rapid.checks", "10"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
