"""What operators do: one function a verb. The command line and the admin API call the same ones."""
