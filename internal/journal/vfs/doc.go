// Package vfs is the little of a file system that the journal needs, over one
// directory, twice: the operating system's, and one in memory that loses on
// demand what a crash would lose and fails on demand as disks do, for tests and
// simulation.
package vfs
