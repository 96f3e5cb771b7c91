"""What is made of the API's document for those who call it."""
