//go:build !embed

package web

// Embedded is nil: this binary carries no built site (it was made without the
// build tag "embed") and builds one when asked to serve.
func Embedded() (Site, error) { return nil, nil }
