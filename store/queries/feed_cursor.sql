SELECT cursor FROM feed_cursors FINAL WHERE feed = {feed:String}
