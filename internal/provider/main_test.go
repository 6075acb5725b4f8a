package provider_test

import (
	"os"
	"testing"
)

// TestMain runs the tests, or in a process that TestProcessEnvironment has
// started, what that test wants to see in an environment of its own.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(statInProcessEnvironment())
	}
	os.Exit(m.Run())
}
