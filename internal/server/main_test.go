package server

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == heirRole {
		os.Exit(beHeir())
	}
	goleak.VerifyTestMain(m)
}
