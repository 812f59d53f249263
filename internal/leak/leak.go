// Package leak fails tests that leave goroutines behind: whoever starts one waits
// for it. It is goleak with patience. goleak by itself waits for half a second, in
// which a busy machine may not come to what ends by itself.
package leak

import (
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines may take to end after the last test.
const patience = 30 * time.Second

// Tests is what Main needs of testing.M.
type Tests interface{ Run() int }

// Main is for a package's TestMain: it runs the tests, and fails where goroutines
// are left then. It does not return.
func Main(m Tests, options ...goleak.Option) { goleak.VerifyTestMain(patient{m, options}, options...) }

// patient runs tests and returns once nothing is left of them, or its patience ends.
type patient struct {
	Tests
	options []goleak.Option
}

func (p patient) Run() int {
	code := p.Tests.Run()
	for end := time.Now().Add(patience); code == 0 && goleak.Find(p.options...) != nil && time.Now().Before(end); {
	}
	return code
}
