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

	// ReadFile reads the certificates and error pages that the configuration
	// names, so that a wrong one is found with its line. nil: they are not looked
	// at.
	ReadFile func(path string) ([]byte, error)

	Check Checks
}

// Checks are asked about values whose meaning other packages know, so that a
// mistake in one is found with its line. nil: not checked.
type Checks struct {
	Format func(AccessLog) error     // Format and Headers
	Filter func(only string) error   // AccessLog.Only
	Target func(target string) error // To of a log; its error must not quote what may be secret
}

// maxFileBytes bounds a configuration: some ten thousand services. The YAML
// parser's time grows with the square of the nesting, and a wrong path may
// lead to anything.
const maxFileBytes = 4 << 20

// Load is LoadChecked without Checks.
func Load(path string) (*Config, error) { return LoadChecked(path, Checks{}) }

// LoadChecked reads the configuration at path with the environment of this
// process. What is wrong in it is returned as Errors, all at once; a file that
// cannot be read, as the error of reading it.
func LoadChecked(path string, check Checks) (*Config, error) {
	data, err := readFile(path, maxFileBytes)
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
		ReadFile: readNamed,
		Check:    check,
	})
}

// maxNamedBytes bounds the files that a configuration names: a long chain of
// certificates has some 20 KiB.
const maxNamedBytes = 1 << 20

func readNamed(path string) ([]byte, error) {
	data, err := readFile(path, maxNamedBytes)
	if err == nil && len(data) > maxNamedBytes {
		return nil, fmt.Errorf("%s is larger than %s", path, Size(maxNamedBytes))
	}
	return data, err
}

// readFile reads at most one byte more than most, by which a caller notices.
func readFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most+1))
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
