// Package demo holds what `rescind demo` shows: a sample origin, a small shop
// that sells newspapers, and the story of its content being cached, changed
// and purged. It is a client of the product like any other.
package demo
