package server

import (
	"os"
	"testing"

	"github.com/rescind-edge/rescind/internal/leak"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == heirRole {
		os.Exit(beHeir())
	}
	leak.Main(m)
}
