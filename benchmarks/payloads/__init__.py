"""What the payload benchmark is made of: tests of the OWASP CRS, harmless requests, ModSecurity, and the counting."""
