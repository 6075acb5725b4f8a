// Package ephemerals holds the ephemeral resources, one file for each Terraform
// type: what is made anew in each plan and apply and stored in neither.
//
// It must never know how Kodo is spoken to: that is the client's, in package kodo.
package ephemerals
