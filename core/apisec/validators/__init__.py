"""Checksums and rules that tell a number of a class from other digits. Pure functions over text.

``cards``  Luhn, issuer ranges      ``iban``  mod 97, lengths by country      ``ssn``  areas that exist
``phone``  E.164 and the North American plan      ``digits``  digits of any script to ASCII
"""
