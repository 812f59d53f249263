// Package dialect holds what the purge APIs in the folders below share: how a
// request's caller and token are found and how a body is read. Each dialect
// translates one API's requests into control's and control's answers back; it
// decides nothing about purging.
package dialect
