package kodo_test
const childEndpoint = "KODO_TEST_ENDPOINT_OF_CHILD"
func child(string) int { return 0 }
