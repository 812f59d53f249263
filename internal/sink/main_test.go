package sink

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/rescind-edge/rescind/internal/leak"
)

// childVariable makes the test binary log one line to its standard output and
// say on standard error what became of it.
const childVariable = "RESCIND_SINK_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	leak.Main(m)
}

func child() {
	s, err := Open(Config{To: Target{kind: kindStdout}})
	if err != nil {
		fmt.Fprint(os.Stderr, err)
		return
	}
	s.Put([]byte("x"))
	fmt.Fprint(os.Stderr, s.Close(context.Background()))
}
