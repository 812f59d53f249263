// Package event holds the typed records of what happened on a node: plain
// values that the package in which something happens hands to a function it
// was given, and that logs, metrics and streams are made from.
//
// It reads what it holds, keeps nothing and sends nothing: who listens, and what
// it costs them, is decided where the packages are wired together.
package event
