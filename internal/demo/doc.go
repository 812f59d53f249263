// Package demo holds what `rescind demo` shows: a sample origin, a small shop
// that sells newspapers; POPs in front of it, each a process of its own; and the
// story of content being cached, changed and withdrawn everywhere. It is a client
// of the product like any other, and knows of its inside only how to write a
// configuration file.
package demo
