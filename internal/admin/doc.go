// Package admin assembles the handler of the admin listener: health, and the
// purge APIs that are served there. The server around it, with its limits and
// timeouts, belongs to whoever listens.
package admin
