// Package app wires the other packages into a node and owns its life: start,
// reload, stop. It is the only package that knows all of them.
package app
