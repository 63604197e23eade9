"""
The content moderation service (Green, enhanced edition): pictures in one call, video and sound as tasks.
"""
