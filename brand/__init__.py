"""What the brand allows: values and rules, without network, SQL or torch."""
