// Package datasources holds the data sources, one file for each Terraform type:
// what the type is called, what its arguments are, and how they become a request
// and an answer becomes the result.
//
// A data source reads, or computes from the provider's keys. It must never
// change anything, and never know how Kodo is spoken to: that is the client's, in
// package kodo.
package datasources
