// Package lint holds the project's own rules about its source as tests: which
// package may import which, that each package says what it is for, and that
// files stay small and free of their author's machine. It has no other code.
package lint
