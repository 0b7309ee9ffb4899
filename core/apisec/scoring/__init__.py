"""What is known of single transactions: the campaigns that they are part of."""
