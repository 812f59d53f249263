// Package proof keeps what is known of who has applied the entries that this
// node issued: which members, and after how long. Receipts and waiting derive
// from it. It claims nothing that a crash could undo, because members
// acknowledge after their own sync.
//
// The package is pure, but for the channels on which waiters are told. It is for
// one goroutine at a time.
package proof
