package server

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/http1"
)

func TestEveryFaultIsAReason(t *testing.T) {
	for f := http1.BareLF; f <= http1.TrailerTooLarge; f++ {
		if reasons[f] == "" {
			t.Errorf("nobody is told of %v", f)
		}
	}
}
