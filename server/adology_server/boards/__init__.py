"""What people of an organisation keep and say about ads: boards, notes, tags."""
