//go:build race

package compat_test

// Under the race detector, which makes the SDK ten times slower, TestListManyObjects
// lists 10 000 objects: more would show no other race.
const manyFolders, manyPages = 25, 10
