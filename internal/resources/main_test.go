package resources_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain leaves most of the model's sequences to CI: 500 of them take a minute and a half of CPU. There they are the
// same in each run, so that what fails is what was changed; to find others is for make fuzz.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" || f.Name == "rapid.seed" })
	name, value := "rapid.checks", "10"
	if os.Getenv("CI") != "" {
		name, value = "rapid.seed", "1"
	}
	if !asked {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
