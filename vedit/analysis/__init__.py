"""What is in a film: its shots, their key frames, motion, light, sharpness and sound; and the best of it as a reel."""
