//go:build !race

package compat_test

// TestListManyObjects lists 100 000 objects, 400 in a folder.
const manyFolders, manyPages = 250, 100
