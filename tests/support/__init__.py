"""What tests share: servers, people, and functions in processes of their own."""
