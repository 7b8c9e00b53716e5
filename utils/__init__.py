"""What models, data and the scripts share; imports none of them."""
