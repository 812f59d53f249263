package origin

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
