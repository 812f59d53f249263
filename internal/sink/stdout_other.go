//go:build !unix

package sink

import "os"

// dupStdout returns standard output; there is no SIGPIPE here.
func dupStdout() (*os.File, error) { return os.Stdout, nil }
