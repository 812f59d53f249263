//go:build !linux

package main

import "syscall"

// attributes are of no use: without /proc the program ends before it starts one.
func attributes() *syscall.SysProcAttr { return nil }
