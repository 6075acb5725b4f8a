package provider

// DropUnreadLogs is for the tests: what Serve does before it serves.
func DropUnreadLogs(environ []string, setenv func(name, value string) error) error {
	return dropUnreadLogs(environ, setenv)
}
