"""What analysts say of findings: benign ones become exceptions, all of them labels that models learn from."""
