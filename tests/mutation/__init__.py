"""Breaking the code and the kernel on purpose: whatever can be broken and no test notices is a test that is missing."""
