package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"
)

// contexts is the client's file: nodes by name, with the token of each.
type contexts struct {
	Current  string                 `yaml:"current"` // the one meant where none is named
	Contexts map[string]nodeContext `yaml:"contexts"`
}

type nodeContext struct {
	Address string `yaml:"address"` // as --address
	Token   string `yaml:"token"`   // as --token
}

// contextsPath returns where the client's file is, or "" where there is no
// place for one.
func contextsPath(env func(string) string) string {
	if path := env("RESCIND_CLI_CONFIG"); path != "" {
		return path
	}
	if dir := env("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "rescind", "cli.yaml")
	}
	if home := env("HOME"); home != "" {
		return filepath.Join(home, ".config", "rescind", "cli.yaml")
	}
	return ""
}

// findContext returns the context of a name, or the current one where the name
// is empty. Without a file, only a name is missed.
func findContext(env func(string) string, name string) (nodeContext, error) {
	path := contextsPath(env)
	all, err := readContexts(path)
	if errors.Is(err, fs.ErrNotExist) || path == "" {
		if name != "" {
			return nodeContext{}, fmt.Errorf("there is no context %q: there is no file %s", name, path)
		}
		return nodeContext{}, nil
	}
	if err != nil {
		return nodeContext{}, err
	}
	if name == "" {
		name = all.Current
	}
	if name == "" {
		return nodeContext{}, nil
	}
	found, ok := all.Contexts[name]
	if !ok {
		return nodeContext{}, fmt.Errorf("there is no context %q in %s, only %q", name, path, slices.Sorted(maps.Keys(all.Contexts)))
	}
	return found, nil
}

// contextNames returns the names in the client's file, as far as it can be read.
func contextNames(env func(string) string) []string {
	all, err := readContexts(contextsPath(env))
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(all.Contexts))
}

// maxContextsBytes is far more than a person writes, and bounds what a wrong
// path can lead to.
const maxContextsBytes = 64 << 10

// readContexts reads the client's file, which nobody else may read: it holds
// tokens.
func readContexts(path string) (all contexts, err error) {
	file, err := os.Open(path)
	if err != nil {
		return all, fmt.Errorf("read the client's file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return all, fmt.Errorf("read the client's file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return all, fmt.Errorf("%s can be read by others (mode %04o), and it may hold tokens; run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxContextsBytes+1))
	if err != nil {
		return all, fmt.Errorf("read the client's file: %w", err)
	}
	if len(data) > maxContextsBytes {
		return all, fmt.Errorf("%s is larger than %s; is it the client's file?", path, bytesText(maxContextsBytes))
	}
	if err := yaml.UnmarshalWithOptions(data, &all, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return all, contextsError(path, err)
	}
	return all, nil
}

// contextsError says where a file is wrong, without the parser's excerpt of it,
// in which a token may stand.
func contextsError(path string, err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		return fmt.Errorf("%s:%d: %s; it holds current, and contexts: {NAME: {address: …, token: …}}", path, at.GetToken().Position.Line, at.GetMessage())
	}
	return fmt.Errorf("%s is not understood; it holds current, and contexts: {NAME: {address: …, token: …}}", path)
}
