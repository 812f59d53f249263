package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Source is a configuration that has not been read yet, with all that its
// meaning depends on.
type Source struct {
	File string // how errors name it
	Data []byte // YAML, one document
	Dir  string // absolute; relative paths start here

	// Env looks up an environment variable, as os.LookupEnv does. nil: there are
	// none. "~" in a path is its HOME.
	Env func(name string) (value string, ok bool)

	// Hostname is the default of node.name.
	Hostname string

	// ReadFile reads the certificates that the configuration names, so that a
	// wrong one is found with its line. nil: they are not looked at.
	ReadFile func(path string) ([]byte, error)
}

// maxFileBytes bounds a configuration: some ten thousand services. The YAML
// parser's time grows with the square of the nesting, and a wrong path may
// lead to anything.
const maxFileBytes = 4 << 20

// Load reads the configuration at path with the environment of this process.
// What is wrong in it is returned as Errors, all at once; a file that cannot be
// read, as the error of reading it.
func Load(path string) (*Config, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the configuration's directory: %w", err)
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "" // then node.name must be given
	}
	return Parse(Source{
		File:     path,
		Data:     data,
		Dir:      filepath.Dir(absolute),
		Env:      os.LookupEnv,
		Hostname: hostname,
		ReadFile: os.ReadFile,
	})
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// One byte more than is allowed, so that Parse notices and says so.
	return io.ReadAll(io.LimitReader(file, maxFileBytes+1))
}

// Parse reads and checks a configuration. Every error is an Errors.
func Parse(src Source) (*Config, error) {
	if src.Env == nil {
		src.Env = func(string) (string, bool) { return "", false }
	}
	r := &reader{src: src}
	if root := r.parse(); root != nil {
		r.readConfig(root)
	}
	if len(r.problems) > 0 {
		r.problems.sort()
		return nil, r.problems
	}
	return &r.config, nil
}
