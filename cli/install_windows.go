package cli

// keepOwner does nothing: a new file has the rights of its folder.
func keepOwner(string, string) error { return nil }
